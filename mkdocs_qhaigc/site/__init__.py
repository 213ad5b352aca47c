"""One build of a site: its pages, its images, its warnings. Knows no engine."""
