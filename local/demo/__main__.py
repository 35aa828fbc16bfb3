"""``python -m local.demo``."""

import sys

from local.demo.first_act import main

sys.exit(main())
