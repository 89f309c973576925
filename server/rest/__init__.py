"""HTTP: one file per feature, bodies and queries parsed strictly, every error a problem document."""
