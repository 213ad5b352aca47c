"""One build of a site: its pages, its images, warnings, survey, report, gallery. Knows no engine."""
