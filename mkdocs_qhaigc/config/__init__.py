"""Options, and where the files of a site are kept."""
