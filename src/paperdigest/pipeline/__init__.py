"""The use cases, each a function that reads from top to bottom.

- `fetching`: sources or documents to listings in the store; `completeness` judges how far each can be trusted.
- `planning`: who is due, what they have not seen, ranked and frozen as a digest.
- `delivering`: what waits is claimed, rendered, handed over once, and settled.

The pipeline knows plug-ins by their protocols only; `app` gives it concrete ones.
"""
