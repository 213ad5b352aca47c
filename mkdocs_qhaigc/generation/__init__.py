"""Generation of missing images: each once, within a budget, and never lost once it is paid for.

Other rooms put a `job.ImageJob` into a `queue.GenerationQueue`, limit it by a `budget.Budget`, and show a `progress`.
"""
