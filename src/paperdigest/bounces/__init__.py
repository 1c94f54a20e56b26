"""What comes back: addresses that name a delivery, reading reports about it, and whom they speak of.

Pure, but for `isolation`, which reads hostile messages in a process of its own. What follows from a report is decided
in `refusals` and written down by `store.bounces`.
"""
