"""The proof of masking: non-interference, usefulness, and the one file that their figures go to (`report.py`)."""
