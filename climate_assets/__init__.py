"""climate-assets: watches television and radio for climate misinformation, and lets people prove what they found."""
