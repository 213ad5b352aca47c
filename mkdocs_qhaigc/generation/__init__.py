"""Generation of missing images: a queue of jobs, each paid for once and saved the moment it arrives."""
