"""The two commands: set-up, servers, processes, forwarder, gate."""
