"""Generation of missing images: each once, within a budget, and never lost once it is paid for.

Other rooms put a `job.ImageJob` into a `queue.GenerationQueue`, limit it by a `when_to_stop.Budget`, and show a
`progress`.
"""
