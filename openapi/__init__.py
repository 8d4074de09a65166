"""The OpenAPI document, its lint rules, and what checks it: clients, and what breaks them."""
