"""Installing: our server's entry in the settings of agent hosts, put in, found again and taken out."""
