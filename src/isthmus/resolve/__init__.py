"""Names and addresses while the program runs: name servers asked, answers shared and kept."""
