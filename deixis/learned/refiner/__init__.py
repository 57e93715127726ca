"""The mask refiner: how the small network inside `segmentation/light` is trained."""
