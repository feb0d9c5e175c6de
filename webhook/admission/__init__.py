"""Image lookup for workloads: short names of image streams become pull specs by digest when an object is written."""
