"""The user's asset as it came, a glTF document, into which motion is put and of which nothing is lost."""
