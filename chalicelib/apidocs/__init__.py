"""The OpenAPI and AsyncAPI documents, and the files of the page that shows them."""
