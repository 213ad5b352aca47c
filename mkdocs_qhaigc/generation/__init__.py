"""Generation of missing images: the queue of jobs, one purchase, budget, journal, recovery, progress."""
