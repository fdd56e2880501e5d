"""Tests of a contract, made from a consumer class or from an AsyncAPI document; needs the extra `contract`."""

try:
    from chanx.testing.contract.suite import contract_tests
    from chanx.testing.contract.verdict import ContractError
except ImportError as _error:
    raise ImportError('Contract tests need: pip install "chanx-testing[contract]"') from _error

__all__ = ["ContractError", "contract_tests"]
