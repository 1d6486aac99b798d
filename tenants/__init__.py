"""The SaaS floor's ground: tenants, hosts, provisioning, sign-up, export, deletion."""
