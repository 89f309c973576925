"""What the benchmark computes, without running anything."""
