"""An assistant that writes its answer while it is read."""
