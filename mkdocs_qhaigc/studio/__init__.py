"""The studio: a page of tools beside a development server. Owns werkzeug, which nothing imports before one runs."""
