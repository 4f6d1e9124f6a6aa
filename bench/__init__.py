"""Speed and accuracy of the engine, measured on generated traces."""
