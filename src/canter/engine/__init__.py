"""How connections become application calls. One package an engine; the rest is shared by all."""
