"""Contract tests for parts of one's own: inherit a class, give it your part, run pytest. See docs/extending.md.

    from eagle.testing.utilities import UtilityContract
    from own_utility import Mine

    class TestMine(UtilityContract):
        @pytest.fixture
        def utility_class(self):
            return Mine

Every class says in its docstring which one fixture to override. The project's own parts pass the same tests.
"""
