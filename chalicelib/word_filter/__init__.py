"""The word filter: a function of the operator's that allows, refuses or changes texts of users."""
