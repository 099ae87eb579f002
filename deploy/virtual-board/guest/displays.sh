told test-display test-display
