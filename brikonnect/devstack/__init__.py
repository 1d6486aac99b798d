"""The machine under a developer's Brikonnect: servers, processes and their log, without a line of Django."""
