import unittest

from greeter import greet


class GreetTest(unittest.TestCase):
    def test_greets_by_name(self) -> None:
        self.assertEqual(greet("Ada"), "Hello, Ada!")

    def test_greets_a_stranger_when_there_is_no_name(self) -> None:
        self.assertEqual(greet("  "), "Hello, stranger!")


if __name__ == "__main__":
    unittest.main()
