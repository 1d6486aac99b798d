"""What the small process beside the web server runs: event streams under /live/, and nothing else."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brikonnect.settings")
django.setup()

from brikonnect.live import Live  # noqa: E402  # Django must be set up before its models are imported

application = Live()
