"""FastCGI 1 (https://fastcgi-archives.github.io/FastCGI_Specification.html), as a responder."""
