"""One small network in both frameworks, with the mistakes that the reports of these tests are about."""
