"""One module per schema. A released one is never edited: databases that ran it are out there."""
