"""What a request for a file gets, decided from its method, its fields, and facts about the file.

- `paths`: which file a path means, and which it may never mean.
- `media_types`: what is in a file, by the end of its name.
- `codings`: which of a file's compressed variants the client wants.
- `conditions`: conditional requests (RFC 9110 section 13).
- `ranges`: requests for parts (RFC 9110 section 14).
- `reply`: all of it together.
"""
