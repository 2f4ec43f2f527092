"""`python -m paddle2torch` is the same as the `paddle2torch` command."""

import sys

from paddle2torch.cli import main

sys.exit(main())
