"""What trains a model: Lightning's command line, callbacks, the record of a run."""
