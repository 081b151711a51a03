"""What every experiment needs: results, resuming, workers, sweeps, figures, the report."""
