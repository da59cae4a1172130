"""The long run: see run.py."""

from __future__ import annotations

import sys

from proof.noninterference.run import main

sys.exit(main())
