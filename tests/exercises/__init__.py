"""For each lesson, answers to its exercises that the checks must accept (VALID) and reject (WRONG)."""
