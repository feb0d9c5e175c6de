from tests.unit.distribution.fixtures import authority, elsewhere, registry, secure, trusting

__all__ = ["authority", "elsewhere", "registry", "secure", "trusting"]
