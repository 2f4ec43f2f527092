"""What builds the site and keeps its pages true; none of it is installed with the package."""
