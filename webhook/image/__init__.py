"""The image domain as pure functions over JSON: references, tags, history, generations, validation and views."""
