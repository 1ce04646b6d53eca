"""Manifests of Kubernetes' Gateway API: HTTPRoutes with their CORS filters."""
