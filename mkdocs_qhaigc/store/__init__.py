"""Stores of original images and their records: the pins and the cache.

Other rooms look images up with `finder.ImageFinder`, open one store with `image_store.open_pins` and
`image_store.open_cache`, read a `record.StoredImage`, and move images with `transfer`.
"""
