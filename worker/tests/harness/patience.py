"""How long a test waits for what must happen: on a busy machine everything takes longer."""

PATIENCE = 30.0
