"""What the web server runs: pages and API."""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brikonnect.settings")
# The web server's processes count what they do in files here, so that each can answer for all (brikonnect.metrics).
_metrics = settings.DATA_DIR / "metrics"
_metrics.mkdir(parents=True, exist_ok=True)
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_metrics))
application = get_wsgi_application()

from brikonnect.demo import refuse_in_production  # noqa: E402  # models are there only now

refuse_in_production()

# What is there now stays: the collector need not go through it again and again, nor look for cycles as often as in a
# script, since a request leaves few.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
