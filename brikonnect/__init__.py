"""Composition root: settings, URL confs, the Celery application, and the pages that span apps."""
