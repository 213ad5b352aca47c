"""Stores of original images and their records: the pins, the cache, and a store that a team shares.

Other rooms look images up with `local_finder.ImageFinder`, open one store with `image_store.open_pins` and
`image_store.open_cache`, read a `record.StoredImage`, move images with `move_between_pins_and_cache`, and share them
with a team by `shared_images.SharedImages`.
"""
