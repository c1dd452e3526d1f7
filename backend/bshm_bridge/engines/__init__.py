"""What turns an RGB image into an alpha matte: one engine per runtime."""
