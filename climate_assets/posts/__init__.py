"""Posts: short public texts by keyword and period, and the persons, laws, energies and figures that they name."""
