"""What the GIMP plug-in consists of.

`formats`, `i18n`, `options`, `progress`, `sentences`, `trimap` and `wording` know nothing of
GIMP; `arguments`, `dialog`, `layers`, `outputs`, `problem` and `removal` are its adapters.
"""
