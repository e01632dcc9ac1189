"""A real NATS, real worker processes and a real Git server for the tests."""
